package models_test

import (
	"encoding/json"
	"fmt"

	"github.com/cgbg-go/lab/data/ala2/models"
)

func ExampleFS() {
	card, err := models.FS().Open("obc2_cb_flow_biased.npz.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer card.Close()
	var model struct {
		Kind, Data string
		Frames     int
	}
	err = json.NewDecoder(card).Decode(&model)
	fmt.Println(model.Kind, model.Frames, "frames of", model.Data, err)
	// Output: flow 16200 frames of metad1.5_core-beta.arrow <nil>
}
