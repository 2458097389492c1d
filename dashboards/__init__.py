"""What people see and press: Takes Views from opsroom. Gives Commands to opsroom."""
