// Prints, for each path on standard input, what HashiCorp's parser finds in that file, as JSON.
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

func text(v cty.Value) string {
	if v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
		return v.AsString()
	}
	return ""
}

func attr(b *hclsyntax.Body, name string) string {
	a, ok := b.Attributes[name]
	if !ok {
		return ""
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() {
		return ""
	}
	return text(v)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		path := in.Text()
		src, _ := os.ReadFile(path)
		f, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
		stated := map[string]interface{}{"path": path, "broken": diags.HasErrors()}
		modules, configured := [][2]string{}, [][2]string{}
		required := [][3]string{}
		for _, b := range f.Body.(*hclsyntax.Body).Blocks {
			switch b.Type {
			case "module":
				modules = append(modules, [2]string{attr(b.Body, "source"), attr(b.Body, "version")})
			case "provider":
				if len(b.Labels) > 0 {
					configured = append(configured, [2]string{b.Labels[0], attr(b.Body, "version")})
				}
			case "terraform":
				for _, r := range b.Body.Blocks {
					if r.Type != "required_providers" {
						continue
					}
					for name, a := range r.Body.Attributes {
						if pairs, diags := hcl.ExprMap(a.Expr); !diags.HasErrors() {
							source, version := name, ""
							for _, p := range pairs {
								k, _ := p.Key.Value(nil)
								v, d := p.Value.Value(nil)
								if d.HasErrors() {
									continue
								}
								if text(k) == "source" {
									source = text(v)
								} else if text(k) == "version" {
									version = text(v)
								}
							}
							required = append(required, [3]string{name, source, version})
						} else {
							v, _ := a.Expr.Value(nil)
							required = append(required, [3]string{name, name, text(v)})
						}
					}
				}
			}
		}
		stated["modules"], stated["configured"], stated["required"] = modules, configured, required
		out.Encode(stated)
	}
}
