// The page on which a reviewer looks through the screenshots.
export const themes = ['light', 'dark']
export const widths = [1440, 1024, 400]

// readme names the three pictures that the README shows, in ui/pictures.
export const readme = {pipeline: 'stage-light-1440', promote: 'promote-light-1440', history: 'promotion-dark-1024'}

const picture = (name, theme, width) => {
  const file = `${name}-${theme}-${width}.png`
  return `<a class="${theme} w${width}" href="${file}"><img loading="lazy" alt="${name}, ${theme}, ${width} px" src="${file}"></a>`
}

const section = ({title, states}) => `<h2>${title}</h2>
${states.map(s => `<section id="${s.name}"><h3><a href="#${s.name}">${s.name}</a></h3><p>${s.what}</p><div>${themes.map(t => widths.map(w => picture(s.name, t, w)).join('')).join('')}</div></section>`).join('\n')}`

const filter = (name, label) => `<label><input type="checkbox" checked onchange="document.body.classList.toggle('no-${name}', !this.checked)"> ${label}</label>`

// index lists the states in their groups, each with its pictures by theme and width.
export const index = groups => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Every state of Waybill's UI extension</title>
<style>
body { font: 15px/1.5 sans-serif; margin: 24px; color: #363c4a; background: #eff3f5; }
nav { position: sticky; top: 0; background: #eff3f5; padding: 8px 0; display: flex; flex-wrap: wrap; gap: 4px 18px; z-index: 1; }
nav a, h3 a { color: #006f7d; text-decoration: none; }
section { margin: 0 0 28px; }
section > div { display: flex; flex-wrap: wrap; gap: 10px; align-items: flex-start; }
h3, p { margin: 0; }
p { padding-bottom: 6px; }
img { display: block; height: 300px; box-shadow: 0 1px 4px rgba(0, 0, 0, .3); }
${themes.map(t => `.no-${t} .${t}`).concat(widths.map(w => `.no-w${w} .w${w}`)).join(', ')} { display: none; }
</style>
<h1>Every state of Waybill's UI extension</h1>
<nav>${themes.map(t => filter(t, t)).join('')}${widths.map(w => filter('w' + w, `${w} px`)).join('')}${groups.flatMap(g => g.states).map(s => `<a href="#${s.name}">${s.name}</a>`).join('')}</nav>
${groups.map(section).join('\n')}
</html>
`
