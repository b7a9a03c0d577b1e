"""What is decided from values alone: no query, no request, no model of the orders.

Every other room asks here. A rule returns its reason as a sentence, and "" for yes. Read statuses.py first."""
