"""What is solved in a box of voxels, by threads or by a GPU: potentials, labels, migration over a surface."""
