package templates

// errorTitle is what a failure is called on its page.
func errorTitle(lang string, status int) string {
	switch status {
	case 400:
		return T(lang, "error.400")
	case 401:
		return T(lang, "error.401")
	case 403:
		return T(lang, "error.403")
	case 404:
		return T(lang, "error.404")
	case 405:
		return T(lang, "error.405")
	case 410:
		return T(lang, "error.410")
	case 413:
		return T(lang, "error.413")
	case 429:
		return T(lang, "error.429")
	case 500:
		return T(lang, "error.500")
	case 503:
		return T(lang, "error.503")
	}
	return T(lang, "error.other")
}

// errorText says what may have happened and what to do now.
func errorText(lang string, status int) string {
	switch status {
	case 400:
		return T(lang, "error.400_text")
	case 401:
		return T(lang, "error.401_text")
	case 403:
		return T(lang, "error.403_text")
	case 404:
		return T(lang, "error.404_text")
	case 405:
		return T(lang, "error.405_text")
	case 410:
		return T(lang, "error.410_text")
	case 413:
		return T(lang, "error.413_text")
	case 429:
		return T(lang, "error.429_text")
	case 500:
		return T(lang, "error.500_text")
	case 503:
		return T(lang, "error.503_text")
	}
	return T(lang, "error.other_text")
}

// mayHelpToSignIn reports whether a failure may go away when the reader signs
// in.
func mayHelpToSignIn(p Page, status int) bool {
	return !p.Viewer.SignedIn && (status == 401 || status == 403)
}

// orElse is a text, or another one if it is empty.
func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// errorPage is the page with the failure's own title, whatever the handler
// called it: a status without a message has none in the catalogue.
func errorPage(p Page, status int) Page {
	p.Title = errorTitle(p.Lang, status)
	return p
}
