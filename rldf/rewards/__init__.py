"""Rewards: functions that score generated images by comparing them with the input image."""
