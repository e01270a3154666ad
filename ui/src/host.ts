import type {ComponentType} from 'react'
import type {HostApplication} from './model/binding'

// What Argo CD offers an extension (ui/src/app/shared/services/extensions-service.ts).
// Older ones lack the later functions, and ignore later arguments.

type Shown = (app?: HostApplication) => boolean
interface Props {
  application: HostApplication
  openFlyout?: () => void
}

export interface ExtensionsAPI {
  registerAppViewExtension?(component: ComponentType<Props>, title: string, icon: string, shouldDisplay?: Shown): void
  registerStatusPanelExtension?(component: ComponentType<Props>, title: string, id: string, flyout?: ComponentType<Props>): void
  registerTopBarActionMenuExt?(component: ComponentType<Props>, title: string, id: string, flyout: ComponentType<Props>, shouldDisplay?: Shown, iconClassName?: string, isMiddle?: boolean): void
}

export type {Props as HostProps}
