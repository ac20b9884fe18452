using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ClaimCheck.Service.Http;

/// <summary>Traces and metrics by OTLP, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector; OpenTelemetry's other
/// variables apply as usual. They contain ids, but never links or criteria.</summary>
internal static class Telemetry
{
    public const string Name = "ClaimCheck";

    public static ActivitySource Source { get; } = new(Name);

    public static Meter Meter { get; } = new(Name);

    public static Counter<long> Records { get; } = Meter.CreateCounter<long>(
        "claimcheck.records", "{record}", "Records of exports that became ready.");
    public static Counter<long> Bytes { get; } = Meter.CreateCounter<long>(
        "claimcheck.bytes", "By", "Stored bytes of exports that became ready.");
    public static Counter<long> Outcomes { get; } = Meter.CreateCounter<long>(
        "claimcheck.exports", "{export}", "Exports by how their run ended.");

    public static WebApplicationBuilder AddTelemetry(this WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            return builder;
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("claimcheck"))
            .WithTracing(traces => traces
                .AddSource(Name).AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddNpgsql()
                .AddProcessor(new SecretsProcessor())
                .AddOtlpExporter())
            .WithMetrics(metrics => metrics
                .AddMeter(Name, "System.Runtime").AddAspNetCoreInstrumentation().AddHttpClientInstrumentation()
                .AddNpgsqlInstrumentation()
                .AddOtlpExporter());
        return builder;
    }

    /// <summary>Removes what may be a secret: the address of a request to a signed link is the capability itself, a source's
    /// query contains its criteria, and a database's message may quote a record.</summary>
    private sealed class SecretsProcessor : BaseProcessor<Activity>
    {
        private static readonly string[] Secret =
            ["url.query", "url.full", "http.url", "http.target", "db.query.text", "db.statement"];

        public override void OnEnd(Activity data)
        {
            foreach (var tag in Secret)
                data.SetTag(tag, null);
            // An exception can't be removed from a span: the span is not exported.
            if (data.Source.Name == "Npgsql" && data.Status == ActivityStatusCode.Error)
                data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}
