package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	lua "github.com/yuin/gopher-lua"
	luajson "layeh.com/gopher-json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// patience is how long Argo CD lets a script run.
const patience = time.Second

// runLua runs a script over an object as Argo CD does: of Lua's libraries package, base and table are open, and of os the
// clock can be required; so there is no string library. It returns what the script returned, as JSON.
func runLua(script string, object *unstructured.Unstructured) ([]byte, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{
		{lua.LoadLibName, lua.OpenPackage},
		{lua.BaseLibName, lua.OpenBase},
		{lua.TabLibName, lua.OpenTable},
	} {
		call := lua.P{Fn: state.NewFunction(library.open), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return nil, err
		}
	}
	state.PreloadModule(lua.OsLibName, loadClock)

	limited, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	state.SetContext(limited)
	state.SetGlobal("obj", toLua(state, object.Object))
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	returned := state.Get(-1)
	if returned.Type() != lua.LTTable {
		return nil, fmt.Errorf("the script returned %s, not a table", returned.Type())
	}
	return luajson.Encode(returned)
}

func loadClock(state *lua.LState) int {
	state.Push(state.SetFuncs(state.NewTable(), clock))
	return 1
}

// clock is the library os without what reaches out of the script.
var clock = func() map[string]lua.LGFunction {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	lua.OpenOs(state)
	functions := map[string]lua.LGFunction{}
	for _, name := range []string{"date", "time"} {
		functions[name] = state.GetField(state.GetGlobal(lua.OsLibName), name).(*lua.LFunction).GFunction
	}
	return functions
}()

func toLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case int64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		list := state.CreateTable(len(value), 0)
		for _, item := range value {
			list.Append(toLua(state, item))
		}
		return list
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for key, item := range value {
			table.RawSetString(key, toLua(state, item))
		}
		return table
	}
	return lua.LNil
}

func argoHealth(script string, object *unstructured.Unstructured) verdict {
	text, err := runLua(script, object)
	if err != nil {
		return verdict{Error: err.Error()}
	}
	var health struct {
		Status  string `json:"status"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(text, &health); err != nil {
		return verdict{Error: err.Error()}
	}
	return verdict{Status: health.Status, Message: health.Message}
}

// argoPossible tells of each action whether a person may press its button.
func argoPossible(script string, object *unstructured.Unstructured) map[string]bool {
	possible := map[string]bool{}
	text, err := runLua(script, object)
	if err != nil {
		return map[string]bool{err.Error(): false}
	}
	var found map[string]struct {
		Disabled bool `json:"disabled"`
	}
	if err := json.Unmarshal(text, &found); err != nil {
		return map[string]bool{err.Error(): false}
	}
	for name, action := range found {
		possible[name] = !action.Disabled
	}
	return possible
}

func argoAction(script string, object *unstructured.Unstructured) changed {
	text, err := runLua(script, object)
	if err != nil {
		return changed{Error: err.Error()}
	}
	result := map[string]any{}
	if err := json.Unmarshal(text, &result); err != nil {
		return changed{Error: err.Error()}
	}
	return changed{Object: withEmptyMaps(result, object.Object)}
}

// withEmptyMaps turns the empty lists that were empty maps before back into maps, as Argo CD does: an empty table of Lua
// is both, and becomes a list in JSON.
func withEmptyMaps(result, before map[string]any) map[string]any {
	for key, old := range before {
		was, ok := old.(map[string]any)
		if !ok {
			continue
		}
		switch now := result[key].(type) {
		case map[string]any:
			result[key] = withEmptyMaps(now, was)
		case []any:
			if len(now) == 0 {
				result[key] = was
			}
		}
	}
	return result
}
