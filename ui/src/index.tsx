// The extension registers itself with Argo CD: a panel in the status bar with its
// flyout, an action in the top bar, and an application view.
import React, {type ComponentType} from 'react'
import type {ExtensionsAPI, HostProps} from './host'
import {bindingOf, stageOf, type HostApplication} from './model/binding'
import {text} from './strings'
import {Boundary} from './view/boundary'
import {PromoteFlyout, StatusFlyout, StatusPanel, TopBarAction} from './view/panel'
import {addStyle} from './view/style'
import {PromotionTab} from './view/tab'

// Both flyouts share Argo CD's parameter `extension` of the URL, so their IDs differ.
const statusID = 'waybill-status'
const promoteID = 'waybill-promote'

// guarded begins a part anew where Argo CD shows another Application in the same place:
// nothing of the former is left, neither what was typed or loaded, nor a failure.
function guarded(Part: ComponentType<HostProps>, quiet?: string): ComponentType<HostProps> {
  return function Guarded(props: HostProps) {
    return (
      <Boundary key={bindingOf(props.application)} quiet={quiet}>
        <Part {...props} />
      </Boundary>
    )
  }
}

function register(api: ExtensionsAPI | undefined): void {
  if (!api) {
    return
  }
  addStyle()
  const hasStage = (app?: HostApplication) => stageOf(app) !== ''
  if (api.registerAppViewExtension) {
    api.registerAppViewExtension(guarded(PromotionTab), text.view, 'fa-ship', hasStage)
  }
  if (api.registerStatusPanelExtension) {
    api.registerStatusPanelExtension(guarded(StatusPanel, 'application-status-panel__item'), text.view, statusID, guarded(StatusFlyout))
  }
  if (api.registerTopBarActionMenuExt) {
    api.registerTopBarActionMenuExt(guarded(TopBarAction, ''), text.actions.promote, promoteID, guarded(PromoteFlyout), hasStage, 'fa fa-ship', false)
  }
}

register((window as unknown as {extensionsAPI?: ExtensionsAPI}).extensionsAPI)
