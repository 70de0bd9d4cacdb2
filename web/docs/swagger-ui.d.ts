declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  type Response = { ok: boolean; status: number; url: string; body: unknown };
  export type System = {
    React: { createElement(type: unknown, properties?: object | null, ...children: unknown[]): unknown };
    getComponent(name: string, isContainer?: boolean): unknown;
    specSelectors: { info(): { get(name: string): string } };
  };
  export type Plugin = (system: System) => { components: Record<string, unknown>; wrapComponents: Record<string, unknown> };
  type Options = {
    url: string;
    domNode: Element | null;
    deepLinking: boolean;
    defaultModelsExpandDepth: number;
    displayRequestDuration: boolean;
    layout: string;
    plugins: Plugin[];
    tryItOutEnabled: boolean;
    validatorUrl: null;
    onComplete(): void;
    responseInterceptor(response: Response): Response;
  };
  export default function SwaggerUI(options: Options): {
    preauthorizeApiKey(scheme: string, token: string): void;
    authActions: { logout(schemes: string[]): void };
  };
}

declare module '*.css';
