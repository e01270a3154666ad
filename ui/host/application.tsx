import React, {useEffect, useState} from 'react'
import {getApplication, getTree, listApplications, refresh, sync, watch, type Application, type Tree} from './argocd'
import {actions, panels, viewsOf} from './extensions'
import {Icon, Link, SlidingPanel} from './layout'
import {go, useLocation} from './router'

export function ApplicationList({onLeave}: {onLeave: () => void}) {
  const [apps, setApps] = useState<Application[]>()
  const [problem, setProblem] = useState('')
  useEffect(() => void listApplications().then(setApps, e => setProblem(String(e))), [])
  return (
    <>
      <TopBar crumb='' onLeave={onLeave} />
      <div className='applications-tiles'>
        {problem && <p role='alert'>{problem}</p>}
        {apps && apps.length === 0 && <p>No applications available to you just yet</p>}
        {(apps || []).map(app => (
          <Link key={app.metadata.namespace + app.metadata.name} to={`applications/${app.metadata.namespace}/${app.metadata.name}`} className={`applications-tile applications-tile--${health(app).toLowerCase()}`}>
            <strong>{app.metadata.name}</strong>
            <span>Project: {app.spec.project}</span>
            <span>
              Status: {health(app)} {syncOf(app)}
            </span>
            <span>Path: {app.spec.source && app.spec.source.path}</span>
          </Link>
        ))}
      </div>
    </>
  )
}

const health = (app: Application) => (app.status && app.status.health && app.status.health.status) || 'Unknown'
const syncOf = (app: Application) => (app.status && app.status.sync && app.status.sync.status) || 'Unknown'

// ApplicationPage hands each extension what Argo CD's does, with a new `application` at
// each event of its stream (ui/src/app/applications/components/application-details). It stays
// when another Application is gone to, as Argo CD's may.
export function ApplicationPage({namespace, name, onLeave}: {namespace: string; name: string; onLeave: () => void}) {
  const [app, setApp] = useState<Application>()
  const [tree, setTree] = useState<Tree>({})
  const [events, setEvents] = useState(0)
  const [problem, setProblem] = useState('')
  const {search} = useLocation()
  useEffect(() => {
    getApplication(namespace, name).then(setApp, e => setProblem(String(e)))
    return watch(namespace, name, next => {
      setApp(next)
      setEvents(n => n + 1)
    })
  }, [namespace, name])
  const revision = app && app.status && app.status.sync && app.status.sync.revision
  useEffect(() => {
    if (app) {
      getTree(app).then(setTree, () => undefined)
    }
  }, [revision])
  if (!app) {
    return (
      <>
        <TopBar crumb={name} onLeave={onLeave} />
        {problem && <p role='alert'>{problem}</p>}
      </>
    )
  }
  const params = new URLSearchParams(search)
  const views = viewsOf(app)
  const view = views.find(v => v.title === params.get('view'))
  const openFlyout = (id: string) => () => go('', {extension: id})
  const flyout = [...panels, ...actions].find(e => e.id === params.get('extension'))
  return (
    <div className='application-details' data-events={events}>
      <TopBar crumb={name} onLeave={onLeave}>
        <div className='top-bar__left-side'>
          <button type='button' className='argo-button argo-button--base' onClick={() => void sync(app).catch(e => setProblem(String(e)))}>
            Sync
          </button>
          <button type='button' className='argo-button argo-button--base' onClick={() => void refresh(app).catch(e => setProblem(String(e)))}>
            Refresh
          </button>
          {actions
            .filter(a => a.shouldDisplay(app))
            .map(a => (
              <button key={a.id} type='button' className='argo-button argo-button--base' onClick={openFlyout(a.id)}>
                <Icon name={a.iconClassName || ''} /> <a.component application={app} tree={tree} openFlyout={openFlyout(a.id)} />
              </button>
            ))}
        </div>
        <div className='application-details__views'>
          <button type='button' aria-label='Tree' aria-pressed={!view} onClick={() => go('', {view: 'tree'})}>
            <Icon name='fa-sitemap' />
          </button>
          {views.map(v => (
            <button key={v.title} type='button' title={v.title} aria-label={v.title} aria-pressed={view === v} onClick={() => go('', {view: v.title})}>
              <Icon name={v.icon} />
            </button>
          ))}
        </div>
      </TopBar>
      {problem && <p role='alert'>{problem}</p>}
      <StatusPanel app={app}>
        {panels.map(p => (
          <p.component key={p.title} application={app} openFlyout={p.flyout && openFlyout(p.id)} />
        ))}
      </StatusPanel>
      <div className='application-details__tree'>{view ? <view.component application={app} tree={tree} /> : <Resources app={app} tree={tree} />}</div>
      {flyout && flyout.flyout && (
        <SlidingPanel onClose={() => go('', {extension: undefined})}>
          <flyout.flyout application={app} tree={tree} />
        </SlidingPanel>
      )}
    </div>
  )
}

function TopBar({crumb, children, onLeave}: {crumb: string; children?: React.ReactNode; onLeave: () => void}) {
  return (
    <header className='top-bar'>
      <div className='top-bar__row'>
        <Link to='applications'>Applications</Link>
        {crumb && <span>/ {crumb}</span>}
        <span className='top-bar__title'>{crumb ? 'APPLICATION DETAILS' : 'APPLICATIONS TILES'}</span>
      </div>
      <div className='top-bar__row'>
        {children}
        <button type='button' className='top-bar__leave' onClick={onLeave}>
          Log out
        </button>
      </div>
    </header>
  )
}

function StatusPanel({app, children}: {app: Application; children: React.ReactNode}) {
  const operation = app.status && app.status.operationState
  const revision = (id?: string) => (id ? ` to ${id.slice(0, 7)}` : '')
  return (
    <div className='application-status-panel'>
      <Item label='APP HEALTH' value={health(app)} />
      <Item label='SYNC STATUS' value={syncOf(app)} note={revision(app.status && app.status.sync && app.status.sync.revision)} />
      {operation && <Item label='LAST SYNC' value={operation.phase || ''} note={revision(operation.syncResult && operation.syncResult.revision)} />}
      {children}
    </div>
  )
}

function Item({label, value, note}: {label: string; value: string; note?: string}) {
  return (
    <div className='application-status-panel__item'>
      <label className='application-status-panel__item-label'>{label}</label>
      <div className='application-status-panel__item-value'>
        {value} <small>{note}</small>
      </div>
    </div>
  )
}

function Resources({app, tree}: {app: Application; tree: Tree}) {
  return (
    <>
      {((app.status && app.status.conditions) || []).map(c => (
        <p className='white-box' key={c.type}>
          {c.type}: {c.message}
        </p>
      ))}
      <div className='argo-table-list'>
        {(tree.nodes || []).map(n => (
          <div className='argo-table-list__row' key={n.uid}>
            <span>{n.kind}</span>
            <strong>{n.name}</strong>
            <span>{(n.health && n.health.status) || ''}</span>
          </div>
        ))}
      </div>
    </>
  )
}
