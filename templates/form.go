package templates

// field is one line of a form. Its label and hint are message keys; its id is
// "f-" and its name.
type field struct {
	Name, Label, Hint string
	// Type and Autocomplete are the attributes of the <input> element.
	Type, Autocomplete string
	Optional           bool
	// Code marks a value that is not prose: no capitals, no spelling marks.
	Code bool
}

// The fields of the forms, in the order in which they are shown and in which
// their faults are listed.
var (
	signInFields = []field{
		{Name: "usuario", Label: "field.login_or_email", Type: "text", Autocomplete: "username", Code: true},
		{Name: "acceso", Label: "field.password", Type: "password", Autocomplete: "current-password"},
	}
	signUpFields = []field{
		{Name: "nombre", Label: "field.name", Hint: "field.name_hint", Type: "text", Autocomplete: "name"},
		{Name: "usuario", Label: "field.login", Hint: "field.login_hint", Type: "text", Autocomplete: "username", Code: true},
		{Name: "correo_electronico", Label: "field.email", Type: "email", Autocomplete: "email", Code: true},
		{Name: "acceso", Label: "field.password", Hint: "field.password_hint", Type: "password", Autocomplete: "new-password"},
	}
	passwordFields = []field{
		{Name: "acceso", Label: "field.password_present", Type: "password", Autocomplete: "current-password"},
		{Name: "acceso_nuevo", Label: "field.password_new", Hint: "field.password_hint", Type: "password", Autocomplete: "new-password"},
	}
	profileFields = []field{
		{Name: "nombre", Label: "field.name", Hint: "field.name_hint", Type: "text", Autocomplete: "name"},
		{Name: "bio", Label: "field.bio", Hint: "field.bio_hint", Optional: true},
		{Name: "language", Label: "field.language"},
	}
)

// describedBy names the elements that describe a field: its hint and its
// fault; "" if it has neither.
func describedBy(f Form, d field) string {
	id := "f-" + d.Name
	switch hint, fault := d.Hint != "", f.Errors[d.Name] != ""; {
	case hint && fault:
		return id + "-hint " + id + "-error"
	case hint:
		return id + "-hint"
	case fault:
		return id + "-error"
	}
	return ""
}

// value is what a field shows: what the person typed, never a password.
func value(f Form, d field) string {
	if d.Type == "password" {
		return ""
	}
	return f.Values[d.Name]
}

// profileValue is what a field of the profile shows: what the person typed if
// the form comes back, else what is stored.
func profileValue(v ProfileView, name string) string {
	if typed, ok := v.Form.Values[name]; ok {
		return typed
	}
	switch name {
	case "nombre":
		return v.Profile.Name
	case "bio":
		return v.Profile.Bio
	}
	return v.Profile.Language
}
