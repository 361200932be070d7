"""How strongly lithium binds to the faces of a crystal, and how easily it moves there, with an error bar."""
