"""The electrochemical cell: half, symmetric, full and anode-free, in which every mAh of lithium is accounted for."""
