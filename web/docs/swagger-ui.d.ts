declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  type Response = { ok: boolean; status: number; url: string; body: unknown };
  type Options = {
    url: string;
    domNode: Element | null;
    deepLinking: boolean;
    defaultModelsExpandDepth: number;
    displayRequestDuration: boolean;
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
