package run

import (
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/cgbg-go/lab/kernel/nbformat"
)

// Tags of cells, as papermill has them.
const (
	tagParameters = "parameters"
	tagInjected   = "injected-parameters"
)

// ErrParameter reports a parameter that a notebook does not have, or a value
// that it cannot have.
var ErrParameter = errors.New("bad parameter")

// parameter is a constant or variable of the cell tagged "parameters".
type parameter struct {
	keyword string // const or var
	typ     string // as declared; "" where the value decides
	kind    string // of the value: string, int, float, bool; "" for anything else
	value   string // in Go's syntax
	group   int    // number of the declaration that it is in
}

// line declares the parameter with a value in Go's syntax.
func (p parameter) line(name, value string) string {
	return strings.Join(strings.Fields(p.keyword+" "+name+" "+p.typ), " ") + " = " + value
}

// inject puts a cell with the given values ("name=value") behind the cell tagged
// "parameters", in place of one that is already there, and returns the source
// of both, which is all that the cells see of parameters.
func inject(nb *nbformat.Notebook, values []string) (string, error) {
	nb.Cells = slices.DeleteFunc(nb.Cells,
		func(c *nbformat.Cell) bool { return c.Type == nbformat.Code && c.Tagged(tagInjected) })
	at := slices.IndexFunc(nb.Cells, func(c *nbformat.Cell) bool {
		return c.Type == nbformat.Code &&
			c.Tagged(tagParameters)
	})
	if at < 0 {
		if len(values) > 0 {
			return "", fmt.Errorf("%w: the notebook has no cell tagged %q", ErrParameter, tagParameters)
		}
		return "", nil
	}
	source := nb.Cells[at].Source
	if len(values) == 0 {
		return source, nil
	}
	declared, names, err := parseParameters(source)
	if err != nil {
		return "", err
	}
	literals := map[string]string{}
	touched := map[int]bool{}
	for _, v := range values {
		name, value, ok := strings.Cut(v, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return "", fmt.Errorf("%w %q: want name=value", ErrParameter, v)
		}
		p, ok := declared[name]
		if !ok {
			return "", fmt.Errorf("%w %q: the notebook has %s", ErrParameter, name, strings.Join(names, ", "))
		}
		if literals[name], err = p.literal(value); err != nil {
			return "", fmt.Errorf("%w %s: %w", ErrParameter, name, err)
		}
		touched[p.group] = true
	}
	injected := "// Parameters\n"
	for _, name := range names {
		p := declared[name]
		if literal, ok := literals[name]; ok {
			injected += p.line(name, literal) + "\n"
		} else if touched[p.group] && p.value != "" { // GoNB forgets a group of which one member is declared again
			injected += p.line(name, p.value) + "\n"
		}
	}
	cell := &nbformat.Cell{ID: tagInjected, Type: nbformat.Code, Source: strings.TrimSuffix(injected, "\n"),
		Metadata: map[string]any{"tags": []any{tagInjected}}}
	nb.Cells = slices.Insert(nb.Cells, at+1, cell)
	return source + "\n" + injected, nil
}

// parseParameters finds the constants and variables of a cell.
func parseParameters(source string) (map[string]parameter, []string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, fmt.Errorf("the cell tagged %q must hold declarations only (const or var): %w", tagParameters,
			err)
	}
	declared := map[string]parameter{}
	var names []string
	for group, d := range file.Decls {
		gen, ok := d.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST && gen.Tok != token.VAR {
			continue
		}
		for _, spec := range gen.Specs {
			values := spec.(*ast.ValueSpec)
			for i, name := range values.Names {
				p := parameter{keyword: gen.Tok.String(), group: group}
				if i < len(values.Values) {
					p.value, p.kind = text(values.Values[i]), kindOf(values.Values[i])
				}
				if values.Type != nil {
					p.typ, p.kind = text(values.Type), kindOfType(text(values.Type))
				}
				declared[name.Name] = p
				names = append(names, name.Name)
			}
		}
	}
	return declared, names, nil
}

// text is an expression in Go's syntax.
func text(e ast.Expr) string {
	var b strings.Builder
	format.Node(&b, token.NewFileSet(), e) // cannot fail: it was parsed
	return b.String()
}

func kindOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.SUB || e.Op == token.ADD {
			return kindOf(e.X)
		}
	case *ast.BasicLit:
		return map[token.Token]string{token.STRING: "string", token.INT: "int", token.FLOAT: "float"}[e.Kind]
	case *ast.Ident:
		if e.Name == "true" || e.Name == "false" {
			return "bool"
		}
	}
	return ""
}

func kindOfType(t string) string {
	switch {
	case t == "string" || t == "bool":
		return t
	case strings.HasPrefix(t, "float"):
		return "float"
	case t == "int" || t == "uint" || t == "int64" || t == "uint64" || t == "int32" || t == "uint32":
		return "int"
	}
	return ""
}

// literal is the value in Go's syntax.
func (p parameter) literal(value string) (string, error) {
	switch p.kind {
	case "string":
		if s, err := strconv.Unquote(value); err == nil {
			value = s
		}
		return strconv.Quote(value), nil
	case "int":
		if _, err := strconv.ParseInt(value, 0, 64); err != nil {
			return "", fmt.Errorf("%q is not a whole number", value)
		}
	case "float":
		x, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return "", fmt.Errorf("%q is not a number", value)
		}
		value = strconv.FormatFloat(x, 'g', -1, 64)
		if !strings.ContainsAny(value, ".e") { // 2 would make an int of the variable
			value += ".0"
		}
	case "bool":
		b, err := strconv.ParseBool(value)
		if err != nil {
			return "", fmt.Errorf("%q is neither true nor false", value)
		}
		value = strconv.FormatBool(b)
	default:
		if _, err := parser.ParseExpr(value); err != nil {
			return "", fmt.Errorf("%q is not a Go expression: %w", value, err)
		}
	}
	return value, nil
}
