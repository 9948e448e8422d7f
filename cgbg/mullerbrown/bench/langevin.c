/* The dynamics of package mullerbrown as a plain scalar C program: the same random numbers (xoshiro256++ and ziggurat),
 * the same update, one trajectory after the other.
 *
 *   langevin TRAJECTORIES STEPS BIASED SEED   prints per trajectory the bits of the last state, then "ns/step N"
 *
 * Compiled as it stands it uses the exponential of libm, as one would write it. With -DOWN_EXP it uses the exponential
 * of the Go code in the force, too; then, without contraction of a*b+c (-ffp-contract=off), every bit of the states must
 * agree with the Go program. */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Go works out constants exactly and rounds once: so does D(quadruple precision expression). */
#define D(q) ((double)(q))
#define LN2Q 0.69314718055994531Q
#define LN2 D(LN2Q)
#define PER_NAT_Q (2048 / LN2Q)
#define HALF_Q (PER_NAT_Q / 2)
#define ZIG_R 3.6541528853610088
#define ZIG_V 0.00492867323399

static uint64_t pow2_tab[2048];
static int64_t zig_k[256];
static double zig_w[256], zig_f[257];

static inline uint64_t bits_of(double x) { uint64_t u; memcpy(&u, &x, 8); return u; }
static inline double from_bits(uint64_t u) { double x; memcpy(&x, &u, 8); return x; }

/* 2^(s/2048) */
static inline double pow2n(double s) {
    const double c1 = D(LN2Q / 2048), c2 = D(LN2Q * LN2Q / 2048 / 2048 / 2), c3 = D(LN2Q * LN2Q * LN2Q / 2048 / 2048 / 2048 / 6);
    double k = s + 0x1.8p52, r = s - (k - 0x1.8p52);
    uint64_t j = bits_of(k);
    double e = from_bits(pow2_tab[j % 2048] + (j << 41));
    return e + e * (r * (c1 + r * (c2 + r * c3)));
}

static double log_unit(double u) {
    int k;
    double m = frexp(u, &k);
    if (m < 0.70710678118654752440) { m *= 2; k--; }
    double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
    for (int n = 25; n >= 1; n -= 2) sum = sum * s2 + 1 / (double)n;
    return 2 * s * sum + (double)k * LN2;
}

static double density(double x) { return pow2n(-x * x * D(HALF_Q)); }

static void build_tables(void) {
    /* 2^(1/2048) in quadruple precision */
    const __float128 root = 1.0003385080526823129533054818562164Q;
    __float128 p = 1;
    for (int i = 0; i < 2048; i++) {
        pow2_tab[i] = bits_of((double)p) - ((uint64_t)i << 41);
        p *= root;
    }
    double x[257] = {0};
    x[0] = ZIG_V / density(ZIG_R);
    x[1] = ZIG_R;
    for (int i = 1; i < 255; i++) x[i + 1] = sqrt(-2 * log_unit(ZIG_V / x[i] + density(x[i])));
    for (int i = 0; i < 256; i++) {
        zig_k[i] = (int64_t)(x[i + 1] / x[i] * 4503599627370496.0);
        zig_w[i] = x[i] / 4503599627370496.0;
        zig_f[i] = density(x[i]);
    }
    zig_f[256] = 1;
}

typedef struct { uint64_t s0, s1, s2, s3; } rng;

static inline uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t next(rng *g) {
    uint64_t out = rotl(g->s0 + g->s3, 23) + g->s0, w = g->s1 << 17;
    g->s2 ^= g->s0; g->s3 ^= g->s1; g->s1 ^= g->s2; g->s0 ^= g->s3;
    g->s2 ^= w;
    g->s3 = rotl(g->s3, 45);
    return out;
}

static inline double uniform(rng *g) { return ((double)(next(g) >> 11) + 0.5) * 0x1p-53; }

static uint64_t mix64(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static rng new_rng(uint64_t seed, uint64_t i) {
    const uint64_t golden = 0x9E3779B97F4A7C15u;
    uint64_t h = mix64(mix64(seed + golden) + (i + 1) * golden);
    rng g;
    g.s0 = mix64(h += golden); g.s1 = mix64(h += golden); g.s2 = mix64(h += golden); g.s3 = mix64(h += golden);
    return g;
}

static double __attribute__((noinline)) outside(rng *g, uint64_t i, double z) {
    for (;;) {
        if (i == 0)
            for (;;) {
                double a = -log_unit(uniform(g)) / ZIG_R, b = -log_unit(uniform(g));
                if (b + b > a * a) return copysign(ZIG_R + a, z);
            }
        if (zig_f[i] + uniform(g) * (zig_f[i + 1] - zig_f[i]) < pow2n(-z * z * D(HALF_Q))) return z;
        uint64_t u = next(g);
        i = u % 256;
        int64_t j = (int64_t)u >> 11;
        z = (double)j * zig_w[i];
        if (llabs(j) < zig_k[i]) return z;
    }
}

static inline double normal(rng *g) {
    uint64_t u = next(g), i = u % 256;
    int64_t j = (int64_t)u >> 11;
    double z = (double)j * zig_w[i];
    return llabs(j) < zig_k[i] ? z : outside(g, i, z);
}

#ifdef OWN_EXP
/* the arithmetic of kernel.go */
static inline void force(double x, double y, double *fx, double *fy) {
    double dx1 = x - 48, dy1 = y - 8, gx1 = D(2 * -0.0039Q * HALF_Q) * dx1, gy1 = D(2 * -0.0391Q * HALF_Q) * dy1;
    double e1 = D(17.3Q / HALF_Q) * pow2n(dx1 * gx1 + dy1 * gy1);
    double dx2 = x - 32, dy2 = y - 16, gx2 = D(2 * -0.0039Q * HALF_Q) * dx2, gy2 = D(2 * -0.0391Q * HALF_Q) * dy2;
    double e2 = D(8.7Q / HALF_Q) * pow2n(dx2 * gx2 + dy2 * gy2);
    double dx3 = x - 24, dy3 = y - 32;
    double gx3 = D(2 * -0.0254Q * HALF_Q) * dx3 + D(0.043Q * HALF_Q) * dy3, gy3 = D(0.043Q * HALF_Q) * dx3 + D(2 * -0.0254Q * HALF_Q) * dy3;
    double e3 = D(14.7Q / HALF_Q) * pow2n(dx3 * gx3 + dy3 * gy3);
    double dx4 = x - 16, dy4 = y - 24;
    double gx4 = D(2 * 0.00273Q * HALF_Q) * dx4 + D(0.0023Q * HALF_Q) * dy4, gy4 = D(0.0023Q * HALF_Q) * dx4 + D(2 * 0.00273Q * HALF_Q) * dy4;
    double e4 = D(-1.3Q / HALF_Q) * pow2n(dx4 * gx4 + dy4 * gy4);
    *fx = (e1 * gx1 + e2 * gx2) + (e3 * gx3 + e4 * gx4);
    *fy = (e1 * gy1 + e2 * gy2) + (e3 * gy3 + e4 * gy4);
}
static inline double bias_force(double x) {
    double d = x - 32, g = D(-HALF_Q / 25) * d;
    return D(4.0Q / HALF_Q) * pow2n(d * g) * g;
}
#else
static inline void force(double x, double y, double *fx, double *fy) {
    double dx = x - 48, dy = y - 8, e = 17.3 * exp(-0.0039 * dx * dx - 0.0391 * dy * dy);
    *fx = e * (2 * -0.0039 * dx);
    *fy = e * (2 * -0.0391 * dy);
    dx = x - 32, dy = y - 16, e = 8.7 * exp(-0.0039 * dx * dx - 0.0391 * dy * dy);
    *fx += e * (2 * -0.0039 * dx);
    *fy += e * (2 * -0.0391 * dy);
    dx = x - 24, dy = y - 32, e = 14.7 * exp(-0.0254 * dx * dx + 0.043 * dx * dy - 0.0254 * dy * dy);
    *fx += e * (2 * -0.0254 * dx + 0.043 * dy);
    *fy += e * (0.043 * dx + 2 * -0.0254 * dy);
    dx = x - 16, dy = y - 24, e = -1.3 * exp(0.00273 * dx * dx + 0.0023 * dx * dy + 0.00273 * dy * dy);
    *fx += e * (2 * 0.00273 * dx + 0.0023 * dy);
    *fy += e * (0.0023 * dx + 2 * 0.00273 * dy);
}
static inline double bias_force(double x) {
    double d = x - 32;
    return -4 * d / 25 * exp(-d * d / 50);
}
#endif

int main(int argc, char **argv) {
    if (argc != 5) { fprintf(stderr, "usage: langevin TRAJECTORIES STEPS BIASED SEED\n"); return 2; }
    long trajectories = atol(argv[1]), steps = atol(argv[2]);
    int biased = atoi(argv[3]);
    uint64_t seed = strtoull(argv[4], 0, 10);
    const double dt = 0.1, kick = dt, drag = 0.1 * dt, jolt = sqrt(2 * 0.1) * sqrt(dt);
    const long stride = 10, frames = steps / stride;
    build_tables();
    float *out = malloc(sizeof(float) * 4 * (size_t)(frames > 0 ? frames : 1));
    if (!out) { fprintf(stderr, "langevin: no memory for %ld frames\n", frames); return 1; }
    memset(out, 0, sizeof(float) * 4 * (size_t)frames);
    struct timespec t0, t1;
    clock_gettime(CLOCK_MONOTONIC, &t0);
    for (long i = 0; i < trajectories; i++) {
        rng g = new_rng(seed, (uint64_t)i);
        double x = 10 + 40 * uniform(&g), y = 10 + 40 * uniform(&g);
        double vx = 0.1 * normal(&g), vy = 0.1 * normal(&g), fx, fy, fb = 0;
        force(x, y, &fx, &fy);
        if (biased) fb = bias_force(x);
        long n = 0;
        for (long s = 1; s <= steps; s++) {
            double n0 = normal(&g), n1 = normal(&g);
            vx += kick * (fx + fb) - drag * vx + jolt * n0;
            vy += kick * fy - drag * vy + jolt * n1;
            x += dt * vx;
            y += dt * vy;
            force(x, y, &fx, &fy);
            if (biased) fb = bias_force(x);
            if (s % stride == 0) {
                float *f = out + 4 * n++;
                f[0] = (float)x; f[1] = (float)y; f[2] = (float)fx; f[3] = (float)fy;
            }
        }
        printf("%016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %016" PRIx64 " %.3f %.3f\n", bits_of(x), bits_of(y), bits_of(vx), bits_of(vy), x, y);
    }
    clock_gettime(CLOCK_MONOTONIC, &t1);
    printf("ns/step %.3f\n", ((double)(t1.tv_sec - t0.tv_sec) * 1e9 + (double)(t1.tv_nsec - t0.tv_nsec)) / ((double)steps * (double)trajectories));
    free(out);
    return 0;
}
