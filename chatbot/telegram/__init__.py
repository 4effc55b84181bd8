"""The companion on Telegram, through python-telegram-bot. Start reading at bot.py.

reading      an update as Telegram gives it -> what it means for us (Item)
inbox        what came and what is still to be sent, on disk: nothing is lost, nothing is answered twice
access       who may talk, and how much
conversation one chat's queue: bursts, answers, order
answering, streaming   the companion's turn for a burst, its reply as messages, and a long one while it grows
commands, buttons, settings_menu   what a person can ask of the bot itself
sender, limits   replies on their way out, at the pace that Telegram allows
polling, webserver    the two ways in; running, check, logs, counters: the process
"""

import os

# The library is about to give times as timedelta everywhere; this opts in, and keeps its warnings out of the logs.
os.environ.setdefault("PTB_TIMEDELTA", "true")
