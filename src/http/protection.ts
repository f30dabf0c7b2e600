import helmet from 'helmet';

/** Sets the headers that protect a page which is all ours. */
export const protect = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
  },
  // Plain HTTP on localhost is the first run; a proxy that ends TLS sets this header.
  strictTransportSecurity: false,
});

const protectByPolicy = helmet({ contentSecurityPolicy: false, strictTransportSecurity: false });

/** Sets the same headers, but for a policy that the operator has chosen. */
export function protectWith(policy: string): typeof protect {
  return (request, response, next) => {
    response.setHeader('Content-Security-Policy', policy);
    protectByPolicy(request, response, next);
  };
}
