import base from '../style/base.css'
import graph from '../style/graph.css'
import parts from '../style/parts.css'
import lists from '../style/lists.css'
import dialogs from '../style/dialogs.css'

const id = 'waybill-style'

// addStyle puts the extension's style into the page, once.
export function addStyle(): void {
  if (document.getElementById(id)) {
    return
  }
  const style = document.createElement('style')
  style.id = id
  style.textContent = [base, parts, graph, lists, dialogs].join('\n')
  document.head.appendChild(style)
}
