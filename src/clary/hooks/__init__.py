"""Web hooks: a push to a git repository becomes an image, a training job and an endpoint that serves it.

What is here knows no rows' way through time (controllers/hook.py) and no HTTP (edge/hooks.py): deliveries are read and
verified, repositories fetched, images built, requests filled in.
"""
