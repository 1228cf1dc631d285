"""The deploy after a rollback: whose fields the template's are, by each way of applying."""
