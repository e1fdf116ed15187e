"""The Django application of the peer in benchmarks/peer_django.py."""
