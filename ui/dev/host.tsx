// A page that offers the extension what Argo CD offers it, with recorded answers.
import {mock} from './mock'
import type {HostApplication} from '../src/model/binding'

const query = new URLSearchParams(window.location.search)
const own = query.get('own') || (query.get('scenario') === 'large' ? 'stage-42' : 'prod-eu')
mock({scenario: query.get('scenario') || '', own})

interface Registered {
  [kind: string]: {component: never; title: string; id?: string; flyout?: never}
}

const registered: Registered = {}
const host = window as never as {React: typeof import('react'); show: (e: unknown, at: Element) => void; extensionsAPI: unknown; refreshProps: () => void}
host.extensionsAPI = {
  registerAppViewExtension: (component: never, title: string) => (registered.view = {component, title}),
  registerStatusPanelExtension: (component: never, title: string, id: string, flyout: never) => (registered.panel = {component, title, id, flyout}),
  registerTopBarActionMenuExt: (component: never, title: string, id: string, flyout: never) => (registered.action = {component, title, id, flyout}),
}

const application = (): HostApplication => ({
  metadata: {namespace: 'argocd', name: 'shop-' + own, annotations: query.get('scenario') === 'unbound' ? {} : {'waybill.dev/stage': 'shop/' + own}},
  spec: {project: 'shop-prod'},
})

window.addEventListener('DOMContentLoaded', () => {
  const {createElement, useState, useEffect} = host.React
  const dark = query.get('theme') === 'dark'
  document.body.style.background = dark ? 'rgb(16, 15, 15)' : 'rgb(222, 230, 235)'
  function Page() {
    const [flyout, setFlyout] = useState(query.get('flyout') || '')
    const [app, setApp] = useState(application)
    useEffect(() => {
      host.refreshProps = () => setApp(application())
    }, [])
    const props = {application: app, tree: {}}
    return createElement(
      'div',
      {className: dark ? 'theme-dark' : 'theme-light'},
      createElement('nav', {className: 'sidebar'}),
      createElement(
        'main',
        null,
        createElement(
          'div',
          {className: 'top-bar'},
          createElement('button', {className: 'argo-button argo-button--base', onClick: () => setFlyout('action')}, createElement(registered.action.component, props)),
        ),
        createElement(
          'div',
          {className: 'application-status-panel'},
          createElement('div', {className: 'application-status-panel__item'}, createElement('label', null, 'APP HEALTH'), createElement('div', {className: 'application-status-panel__item-value'}, 'Healthy')),
          createElement(registered.panel.component, {...props, openFlyout: () => setFlyout('panel')} as never),
        ),
        createElement('div', {className: 'application-details__tree'}, createElement(registered.view.component, props)),
      ),
      flyout &&
        createElement(
          'div',
          {className: 'sliding-panel'},
          createElement('button', {onClick: () => setFlyout('')}, '×'),
          createElement('div', {className: 'sliding-panel__body'}, createElement(registered[flyout].flyout!, props)),
        ),
    )
  }
  host.show(createElement(Page), document.getElementById('app')!)
})
