import {useEffect, useState} from 'react'

// Argo CD keeps the theme in its preferences, under this key.
const key = 'view_preferences'

function stored(): string {
  try {
    return (JSON.parse(localStorage.getItem(key) || '{}') as {theme?: string}).theme === 'dark' ? 'dark' : 'light'
  } catch {
    return 'light'
  }
}

export function useTheme(): [string, () => void] {
  const [theme, setTheme] = useState(stored)
  useEffect(() => {
    localStorage.setItem(key, JSON.stringify({version: 5, theme}))
    document.body.style.background = theme === 'dark' ? '#100f0f' : '#dee6eb'
  }, [theme])
  return [theme, () => setTheme(t => (t === 'dark' ? 'light' : 'dark'))]
}
