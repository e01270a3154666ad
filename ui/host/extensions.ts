// What Argo CD offers an extension, with its names, props and quirks
// (ui/src/app/shared/services/extensions-service.ts of 2.14 and 3.5).
import React, {type ComponentType} from 'react'
import type {Application, Tree} from './argocd'

export type Shown = (app: Application) => boolean
export interface Props {
  application: Application
  tree?: Tree
  openFlyout?: () => void
}

interface View {
  component: ComponentType<Props>
  title: string
  icon: string
  shouldDisplay?: Shown
}
interface Panel {
  component: ComponentType<Props>
  title: string
  id: string
  flyout?: ComponentType<Props>
}
interface Action extends Panel {
  shouldDisplay: Shown
  iconClassName?: string
}
interface Page {
  component: ComponentType
  title: string
  path: string
  icon: string
}

export const views: View[] = []
export const panels: Panel[] = []
export const actions: Action[] = []
export const pages: Page[] = []
const resources: Array<{component: ComponentType<never>; group: string; kind: string; tabTitle: string}> = []

// modern is Argo CD 3.3 and later, which asks an application view whether to show.
const modern = !React.version.startsWith('16.')

export const viewsOf = (app: Application) => views.filter(v => !modern || !v.shouldDisplay || v.shouldDisplay(app))

Object.assign(window, {
  extensionsAPI: {
    registerResourceExtension(component: ComponentType<never>, group: string, kind: string, tabTitle: string) {
      resources.push({component, group, kind, tabTitle})
    },
    registerSystemLevelExtension(component: ComponentType, title: string, path: string, icon: string) {
      pages.push({component, title, path, icon})
    },
    registerAppViewExtension(component: ComponentType<Props>, title: string, icon: string, shouldDisplay?: Shown) {
      views.push({component, title, icon, shouldDisplay})
    },
    registerStatusPanelExtension(component: ComponentType<Props>, title: string, id: string, flyout?: ComponentType<Props>) {
      panels.push({component, title, id, flyout})
    },
    registerTopBarActionMenuExt(component: ComponentType<Props>, title: string, id: string, flyout: ComponentType<Props>, shouldDisplay: Shown = () => true, iconClassName?: string) {
      actions.push({component, title, id, flyout, shouldDisplay, iconClassName})
    },
  },
})
