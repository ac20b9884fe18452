using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ClaimCheck.Service.Hosting;

/// <summary>
/// Traces and metrics by OTLP, where <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> names a collector; the other variables of OpenTelemetry
/// hold as usual. Ids travel in them, links and criteria never.
/// </summary>
internal static class Telemetry
{
    public const string Name = "ClaimCheck";

    public static ActivitySource Source { get; } = new(Name);

    public static Meter Meter { get; } = new(Name);

    public static Counter<long> Records { get; } = Meter.CreateCounter<long>("claimcheck.records", "{record}", "Records of exports that became ready.");
    public static Counter<long> Bytes { get; } = Meter.CreateCounter<long>("claimcheck.bytes", "By", "Stored bytes of exports that became ready.");
    public static Counter<long> Outcomes { get; } = Meter.CreateCounter<long>("claimcheck.exports", "{export}", "Exports by how their run ended.");

    public static WebApplicationBuilder AddTelemetry(this WebApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
            return builder;
        // Made here and disposed with the container: the hosting package of OpenTelemetry is not needed for that.
        builder.Services
            .AddSingleton(_ => Sdk.CreateTracerProviderBuilder()
                .ConfigureResource(resource => resource.AddService("claimcheck"))
                .AddSource(Name, "Microsoft.AspNetCore")
                .AddProcessor(new LinkStrippingProcessor())
                .AddOtlpExporter()
                .Build())
            .AddSingleton(_ => Sdk.CreateMeterProviderBuilder()
                .ConfigureResource(resource => resource.AddService("claimcheck"))
                .AddMeter(Name, "Microsoft.AspNetCore.Hosting", "Npgsql", "System.Runtime")
                .AddOtlpExporter()
                .Build())
            .AddHostedService<TelemetryStart>();
        return builder;
    }

    // The query of a request to a signed link is the capability itself.
    private sealed class LinkStrippingProcessor : BaseProcessor<Activity>
    {
        public override void OnEnd(Activity data)
        {
            foreach (var tag in (string[])["url.query", "url.full", "http.url", "http.target"])
                data.SetTag(tag, null);
        }
    }

    // Makes the providers with the service's start, not with their first user.
    private sealed class TelemetryStart(TracerProvider traces, MeterProvider metrics) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            traces.ForceFlush(2000);
            metrics.ForceFlush(2000);
            return Task.CompletedTask;
        }
    }
}
