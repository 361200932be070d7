"""The electrochemical cell: half and symmetric cells in which every mAh of lithium is accounted for."""
