// Package analysis measures frames and their weights: what they say of variables and states, how sure that is, and how
// far one set is from another. It knows no model: samples of a generator are frames with weights to it.
//
//	frames ──┐
//	         ├─▶ Set ──┬─▶ Compare ─▶ scores beside their floors
//	Question ┘         ├─▶ Pool    ─▶ one reference of several simulations
//	                   └─▶ Profiles, Maps ─▶ pictures
//	samples, reference Set ─▶ Evaluate ─▶ all of these, the verdict on the weights, and results
//
// A [Question] names the variables that are looked at, the states that are counted, and which one or two variables
// are scored together. Variables are of package observable: any function of a frame, from text or from Go.
//
// Units: nm, rad, kJ/mol, ps inside; results have the units that the variables are shown in.
package analysis
