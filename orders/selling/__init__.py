"""What customers are asked to pay: the rules that managers keep, the price they make, and prices that are too low.

The order form and place.py ask prices.py. Which rule wins stands in orders/rules/margin.py.
Read prices.py first.
"""
