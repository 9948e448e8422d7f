"""Runs one cell on a kernel and checks what it prints: smoke.py KERNEL FOLDER. The folder is where the cell runs."""

import sys

import nbformat
from nbclient import NotebookClient

CELL = """\
import "github.com/cgbg-go/lab/cgbg/backend"

%%
b, err := backend.Open()
if err != nil {
	panic(err)
}
fmt.Println("backend:", b)
fmt.Println("answer:", 6*7)
"""


def main(kernel: str, folder: str) -> int:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    client = NotebookClient(notebook, kernel_name=kernel, timeout=900, startup_timeout=300,
                            resources={"metadata": {"path": folder}})
    client.execute()
    text = "".join(out.get("text", "") for out in notebook.cells[0].outputs if out.output_type == "stream")
    print(text, end="")
    if "answer: 42\n" not in text:
        print(f"install: the cell did not print its answer: {notebook.cells[0].outputs}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
