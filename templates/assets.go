package templates

const (
	assetStyle = "/static/style.css"
	assetFavicon = "/static/favicon.svg"
	assetScript = "/static/app.js"
)
