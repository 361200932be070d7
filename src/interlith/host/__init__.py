"""What paper is made of a coated powder: mass, pores, area, what it takes up, as parts for cells and pouches."""
