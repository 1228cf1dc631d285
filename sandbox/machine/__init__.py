"""What the sandbox needs of the machine, and gives back."""
