// The globals of Argo CD from 3.5 on (ui/src/app/index.tsx): React 19, a ReactDOM
// without createRoot, and the JSX runtime. The host alone mounts.
import * as React from 'react19'
import * as ReactDOM from 'react-dom19'
import {createRoot} from 'react-dom19/client'
import * as ReactJSXRuntime from 'react19/jsx-runtime'

Object.assign(window, {
  React,
  ReactDOM,
  ReactJSXRuntime,
  mountHost: (page, at) => createRoot(at).render(page),
})
