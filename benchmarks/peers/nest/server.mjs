// The invoice list as a NestJS service on Fastify answers it: a guard verifies the token and asks Redis for the blacklist,
// the handler reads the list from Redis. `/api/invoices` parses and serialises it, as such services are written;
// `/api/invoices/tuned` asks both in one go and passes the string through. Decorators are called: nothing is compiled.
import "reflect-metadata";
import { Controller, Get, Header, Module, Req, UnauthorizedException, UseGuards } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { JwtModule, JwtService } from "@nestjs/jwt";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import { Redis } from "ioredis";

const redis = new Redis(process.env.PEER_REDIS_URL);

function tokenOf(request) {
  const found = /(?:^|; )access=([^;]+)/.exec(request.headers.cookie ?? "");
  if (!found) throw new UnauthorizedException();
  return found[1];
}

async function verified(jwt, request) {
  try {
    return await jwt.verifyAsync(tokenOf(request), { issuer: "portal", audience: "portal-web" });
  } catch {
    throw new UnauthorizedException();
  }
}

class SessionGuard {
  constructor(jwt) {
    this.jwt = jwt;
  }
  async canActivate(context) {
    const request = context.switchToHttp().getRequest();
    request.user = await verified(this.jwt, request);
    if (await redis.exists(`blacklist:${request.user.sid}`)) throw new UnauthorizedException();
    return true;
  }
}
Reflect.defineMetadata("design:paramtypes", [JwtService], SessionGuard);

class Invoices {
  constructor(jwt) {
    this.jwt = jwt;
  }
  async list(request) {
    return JSON.parse(await redis.get(`invoices:${request.user.sub}`));
  }
  async tuned(request) {
    const user = await verified(this.jwt, request);
    const [blacklisted, kept] = await redis.mget(`blacklist:${user.sid}`, `invoices:${user.sub}`);
    if (blacklisted !== null) throw new UnauthorizedException();
    return kept;
  }
}
Reflect.defineMetadata("design:paramtypes", [JwtService], Invoices);

function decorate(name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(Invoices.prototype, name);
  Req()(Invoices.prototype, name, 0);
  for (const decorator of decorators) decorator(Invoices.prototype, name, descriptor);
}
decorate("list", Get(), UseGuards(SessionGuard));
decorate("tuned", Get("tuned"), Header("content-type", "application/json; charset=utf-8"));
Controller("api/invoices")(Invoices);

class Ready {
  ready() {
    return "ok";
  }
}
Get("ready")(Ready.prototype, "ready", Object.getOwnPropertyDescriptor(Ready.prototype, "ready"));
Controller()(Ready);

class App {}
Module({
  imports: [JwtModule.register({ secret: process.env.PEER_SECRET, verifyOptions: { algorithms: ["HS256"] } })],
  controllers: [Invoices, Ready],
  providers: [SessionGuard],
})(App);

const app = await NestFactory.create(App, new FastifyAdapter(), { logger: false });
await app.listen(Number(process.env.PEER_PORT), "127.0.0.1");
