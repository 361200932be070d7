"""Where lithium goes in the pores of a host, voxel by voxel: networks of fibres, and transport in them."""
