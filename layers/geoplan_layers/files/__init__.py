"""Reading files of the user: archives, one module for each vector format, and the text in them."""
