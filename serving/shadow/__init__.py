"""A challenger that scores the same leads as the champion, after their answers, and changes none of them."""
