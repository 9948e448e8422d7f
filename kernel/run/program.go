package run

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/cgbg-go/lab/kernel/nbformat"
)

// Program returns a notebook as one Go program, which runs its cells in their order: the same code as on the kernel,
// compiled and started once instead of for every cell. A declaration replaces an earlier one of the same name, as on
// the kernel. Parameters are as in Options. It says on the standard error which cell it is at. Compile it inside this
// module and run it in the notebook's folder.
//
// Errors: ErrParameter; ErrProgram for cells that only the kernel can run.
func Program(nb *nbformat.Notebook, parameters []string) ([]byte, error) {
	if _, err := inject(nb, parameters); err != nil {
		return nil, err
	}
	p := program{imports: map[string]bool{}, declared: map[string]string{}}
	var calls strings.Builder
	for i, c := range nb.Cells {
		if c.Type != nbformat.Code || strings.TrimSpace(c.Source) == "" {
			continue
		}
		body, err := p.cell(c.Source)
		if err != nil {
			return nil, fmt.Errorf("cell %d: %w", i+1, err)
		}
		if body != "" {
			name := fmt.Sprintf("cell%d", i+1)
			p.declare(name, "func "+name+"() {\n"+body+"\n}")
			fmt.Fprintf(&calls, "println(%q)\n%s()\n", fmt.Sprintf("cell %d: %s", i+1, titleOf(c.Source)), name)
		}
	}
	var out bytes.Buffer
	out.WriteString("package main\n\n")
	for _, spec := range slices.Sorted(maps.Keys(p.imports)) {
		fmt.Fprintf(&out, "import %s\n", spec)
	}
	for _, name := range p.order {
		out.WriteString("\n" + p.declared[name] + "\n")
	}
	fmt.Fprintf(&out, "\nfunc main() {\n%s}\n", calls.String())
	return format.Source(out.Bytes())
}

// ErrProgram reports cells that do not make a program.
var ErrProgram = errors.New("not a plain Go cell")

// program gathers the cells.
type program struct {
	imports  map[string]bool   // specifications: a path, and a name where one is given
	order    []string          // names, in the order of their first declaration
	declared map[string]string // the last declaration of a name
}

func (p *program) declare(name, text string) {
	if _, again := p.declared[name]; !again {
		p.order = append(p.order, name)
	}
	p.declared[name] = text
}

// cell takes the declarations of a cell and returns its statements, which stand behind a line of two per cent signs.
func (p *program) cell(source string) (body string, err error) {
	var top, statements []string
	for line := range strings.Lines(source) {
		switch word := strings.TrimSpace(line); {
		case word == "%%" && statements == nil:
			statements = []string{}
		case strings.HasPrefix(word, "%") || strings.HasPrefix(word, "!"):
			return "", fmt.Errorf("%w: %s is for the kernel", ErrProgram, word)
		case statements != nil:
			statements = append(statements, line)
		default:
			top = append(top, line)
		}
	}
	return strings.Join(statements, ""), p.declarations(strings.Join(top, ""))
}

// declarations takes apart what stands at a cell's top.
func (p *program) declarations(source string) error {
	text := "package p\n" + source
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", text, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProgram, err)
	}
	slice := func(n ast.Node) string { return text[set.Position(n.Pos()).Offset:set.Position(n.End()).Offset] }
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = slice(d.Recv.List[0].Type) + "." + name
			}
			if name == "main" {
				return fmt.Errorf("%w: a function main; write its statements behind %%%%", ErrProgram)
			}
			p.declare(name, slice(d))
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.ImportSpec:
					p.imports[importSpec(slice(spec))] = true
				case *ast.TypeSpec:
					p.declare(spec.Name.Name, "type "+slice(spec))
				case *ast.ValueSpec:
					if len(spec.Names) != 1 || len(spec.Values) == 0 && d.Tok == token.CONST {
						return fmt.Errorf("%w: %s: declare one name at a time, with its value", ErrProgram, slice(spec))
					}
					p.declare(spec.Names[0].Name, d.Tok.String()+" "+slice(spec))
				}
			}
		}
	}
	return nil
}

// importSpec drops a name that the path ends with, so that the same import looks the same.
func importSpec(spec string) string {
	if name, quoted, ok := strings.Cut(spec, " "); ok && name == path.Base(strings.Trim(quoted, `"`)) {
		return quoted
	}
	return spec
}
