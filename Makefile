# make chat    set everything up and talk          make test    set everything up and run all tests
# make check   format, lint, types                 make clean   forget the environment
# make soak    200 people on Telegram at once, with kill -9 and a bad network (5 to 30 minutes)

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.PHONY: chat test check format weights soak clean

chat: $(READY)
	@$(BIN)/chatbot models pull >/dev/null
	@$(BIN)/chatbot repl

test: $(READY) check weights
	$(BIN)/python -m pytest --cov=chatbot --cov=pipelines --cov=models --cov-report=term

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

weights: $(READY)
	$(BIN)/chatbot models pull
	$(BIN)/chatbot models pull en-core-web-sm

soak: $(READY)
	$(BIN)/python tests/chatbot/telegram/soak.py --people 200 --messages 20 --kills 4

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Use: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@echo "Installing the packages (a few minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

clean:
	rm -rf .venv
