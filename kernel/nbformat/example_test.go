package nbformat_test

import (
	"fmt"

	"github.com/cgbg-go/lab/kernel/nbformat"
)

// A notebook gets the output of a cell.
func Example() {
	nb, err := nbformat.Parse([]byte(`{
 "cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {}, "outputs": [],
  "source": ["train()"]}],
 "metadata": {"kernelspec": {"display_name": "Go", "language": "go", "name": "go"}},
 "nbformat": 4, "nbformat_minor": 5}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	cell := nb.Cells[0]
	cell.ExecutionCount = 1
	for _, text := range []string{"step 1/2\r", "step 2/2\n", "done\n"} {
		cell.Outputs = nbformat.AppendStream(cell.Outputs, "stdout", text)
	}
	text, err := nb.Bytes()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", text)
	// Output:
	// {
	//  "cells": [
	//   {
	//    "cell_type": "code",
	//    "execution_count": 1,
	//    "id": "a",
	//    "metadata": {},
	//    "outputs": [
	//     {
	//      "name": "stdout",
	//      "output_type": "stream",
	//      "text": [
	//       "step 2/2\n",
	//       "done\n"
	//      ]
	//     }
	//    ],
	//    "source": [
	//     "train()"
	//    ]
	//   }
	//  ],
	//  "metadata": {
	//   "kernelspec": {
	//    "display_name": "Go",
	//    "language": "go",
	//    "name": "go"
	//   }
	//  },
	//  "nbformat": 4,
	//  "nbformat_minor": 5
	// }
}
