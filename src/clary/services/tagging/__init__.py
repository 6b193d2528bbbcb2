"""The Resource Groups Tagging API: tags of all services in one place."""
