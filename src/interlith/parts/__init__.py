"""What a cell is made of, as a person writes it: frozen pydantic models that refuse unknown keys and open no file."""
