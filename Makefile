# Two commands matter: `make app` and `make test`. Everything lives in .venv.
BIN := .venv/bin
PORT ?= 8501
.PHONY: app test setup dev check format bench soak clean sample screenshots

app: setup
	$(BIN)/folio serve --sample --port $(PORT)

setup:
	@tools/setup.sh run

dev: setup
	@tools/setup.sh dev

# Three processes on two cores: many tests wait for children or for the browser. With bytecode
# kept, whatever the environment says: else each of a thousand children compiles Folio anew.
test: dev
	@tools/browser.sh
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 3 --dist loadfile -m "not soak"

check: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: dev
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python "$$file" || exit 1; done

soak: dev
	$(BIN)/python -m pytest -m soak

# Every picture in docs/images, taken anew of what Folio does; a few minutes.
screenshots: dev
	@tools/browser.sh
	$(BIN)/python tools/screenshots.py

sample: dev
	$(BIN)/python -m sample_data.make

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
