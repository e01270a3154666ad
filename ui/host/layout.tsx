import React, {useEffect, useState, type ReactNode} from 'react'
import {base, version} from './argocd'
import {pages} from './extensions'
import {go} from './router'

export function Link({to, children, className}: {to: string; children: ReactNode; className?: string}) {
  return (
    <a
      className={className}
      href={base + to}
      onClick={e => {
        if (!e.ctrlKey && !e.metaKey) {
          e.preventDefault()
          go(to)
        }
      }}>
      {children}
    </a>
  )
}

export function Sidebar({user, theme, onTheme, onLeave}: {user: string; theme: string; onTheme: () => void; onLeave: () => void}) {
  const [v, setV] = useState('')
  useEffect(() => void version().then(a => setV(a.Version), () => undefined), [])
  return (
    <nav className='sidebar' aria-label='Argo CD'>
      <div className='sidebar__logo'>
        <Icon name='fa-octopus-deploy' />
        <div>
          <strong>argo</strong>
          <small>{v}</small>
        </div>
      </div>
      <Link to='applications' className='sidebar__item sidebar__item--active'>
        <Icon name='fa-layer-group' />
        <span>Applications</span>
      </Link>
      {pages.map(p => (
        <Link key={p.path} to={p.path.replace(/^\//, '')} className='sidebar__item'>
          <Icon name={p.icon} />
          <span>{p.title}</span>
        </Link>
      ))}
      <button type='button' className='sidebar__item' onClick={onTheme}>
        <Icon name='fa-moon' />
        <span>{theme === 'dark' ? 'Light theme' : 'Dark theme'}</span>
      </button>
      <button type='button' className='sidebar__item' onClick={onLeave}>
        <Icon name='fa-user' />
        <span>{user}</span>
      </button>
    </nav>
  )
}

// SlidingPanel is what flyouts open in.
export function SlidingPanel({onClose, children}: {onClose: () => void; children: ReactNode}) {
  useEffect(() => {
    const escape = (e: KeyboardEvent) => e.key === 'Escape' && onClose()
    document.addEventListener('keyup', escape)
    return () => document.removeEventListener('keyup', escape)
  })
  return (
    <div className='sliding-panel sliding-panel--opened'>
      <div className='sliding-panel__outside' onClick={onClose} />
      <div className='sliding-panel__wrapper'>
        <button type='button' className='sliding-panel__close' aria-label='Close the panel' onClick={onClose}>
          ×
        </button>
        <div className='sliding-panel__body'>{children}</div>
      </div>
    </div>
  )
}

// Argo CD brings FontAwesome's icons; these stand for the few that the page shows.
const drawn: Record<string, string> = {
  'fa-layer-group': 'M12 3 2 8l10 5 10-5zM4 11.5l-2 1 10 5 10-5-2-1-8 4zM4 16l-2 1 10 5 10-5-2-1-8 4z',
  'fa-moon': 'M20 14.5A8.5 8.5 0 1 1 9.5 4 7 7 0 0 0 20 14.5z',
  'fa-user': 'M12 12a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zm-8 9c0-4 3.5-7 8-7s8 3 8 7z',
  'fa-sitemap': 'M9 2h6v5h-2v3h6v5h2v6h-6v-6h2v-3H7v3h2v6H3v-6h2v-5h6V7H9z',
  'fa-ship': 'M11 2h2v3h5v6l3 1-2 6c-1.5 0-2-1-3.5-1S13.5 19 12 19s-2-1-3.5-1S6.5 19 5 18l-2-6 3-1V5h5zm-3 5v3.300l4-1.300 4 1.300V7zM3 20c1.5 0 2-.8 3.5-.8s2 1.300 3.700 1.300 2-1.300 3.600-1.300S16 20.5 17.5 20.5 19 19.5 21 19.5V22H3z',
  'fa-octopus-deploy': 'M12 2a7 7 0 0 0-7 7v4l-2 4 2 1 2-3v4l2 1 1.5-4L12 21l1.5-5 1.5 4 2-1v-4l2 3 2-1-2-4V9a7 7 0 0 0-7-7z',
}

export function Icon({name, label}: {name: string; label?: string}) {
  const key = name.split(' ').find(part => drawn[part])
  return (
    <svg className='icon' viewBox='0 0 24 24' role={label ? 'img' : undefined} aria-label={label} aria-hidden={label ? undefined : true}>
      {key ? <path d={drawn[key]} fill='currentColor' /> : <circle cx='12' cy='12' r='8' fill='currentColor' />}
    </svg>
  )
}
