"""Where lithium goes in a host, voxel by voxel: networks of fibres, transport in them, plating and stripping."""
