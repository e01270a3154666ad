// A small page in the place of Argo CD's own, which are not part of its Go module: it
// offers the extension what they offer, and asks the real API.
import React, {Component, useEffect, useState, type ReactNode} from 'react'
import {signIn, signOut, userInfo} from './argocd'
import {ApplicationList, ApplicationPage} from './application'
import {pages} from './extensions'
import {Link, Sidebar} from './layout'
import {relative, go, useLocation} from './router'
import {useTheme} from './theme'

function App() {
  const location = useLocation()
  const [theme, toggle] = useTheme()
  const [user, setUser] = useState<string>()
  const path = relative(location.pathname)
  const ask = () => userInfo().then(i => setUser(i.loggedIn ? i.username || '' : ''), () => setUser(''))
  useEffect(() => void ask(), [])
  if (user === undefined) {
    return null
  }
  if (user === '' || path === 'login') {
    return <Login onDone={ask} />
  }
  const [kind, namespace, name] = path.split('/')
  const page = pages.find(p => p.path.replace(/^\//, '') === path)
  const leave = () => signOut().then(() => window.location.reload())
  return (
    <div className={'theme-' + theme}>
      <div className='cd-layout'>
        <Sidebar user={user} theme={theme} onTheme={toggle} onLeave={leave} />
        <div className='cd-layout__content page__content-wrapper'>
          {page ? <page.component /> : kind === 'applications' && name ? <ApplicationPage namespace={namespace} name={name} onLeave={leave} /> : <ApplicationList onLeave={leave} />}
        </div>
      </div>
    </div>
  )
}

function Login({onDone}: {onDone: () => void}) {
  const [problem, setProblem] = useState('')
  return (
    <form
      className='login'
      onSubmit={e => {
        e.preventDefault()
        const form = new FormData(e.currentTarget)
        signIn(String(form.get('username')), String(form.get('password'))).then(
          () => {
            const to = new URLSearchParams(window.location.search).get('return_url')
            if (relative(window.location.pathname) === 'login') {
              go(to || 'applications')
            }
            onDone()
          },
          () => setProblem('Invalid username or password'),
        )
      }}>
      <h1>argo</h1>
      <label>
        Username <input name='username' autoComplete='username' autoFocus />
      </label>
      <label>
        Password <input name='password' type='password' autoComplete='current-password' />
      </label>
      {problem && <p role='alert'>{problem}</p>}
      <button type='submit' className='argo-button argo-button--base'>
        Sign in
      </button>
    </form>
  )
}

// Whole is Argo CD's only boundary around most extensions: what throws there takes the
// page with it (ui/src/app/app.tsx, getDerivedStateFromError).
class Whole extends Component<{children: ReactNode}, {error?: Error}> {
  state: {error?: Error} = {}

  static getDerivedStateFromError(error: Error) {
    return {error}
  }

  render() {
    if (!this.state.error) {
      return this.props.children
    }
    return (
      <div className='application-broken' role='alert'>
        <h1>Something went wrong!</h1>
        <p>{String(this.state.error)}</p>
        <Link to='applications'>Applications</Link>
      </div>
    )
  }
}

declare global {
  interface Window {
    mountHost: (page: ReactNode, at: Element) => void
  }
}

window.mountHost(
  <Whole>
    <App />
  </Whole>,
  document.getElementById('app')!,
)
