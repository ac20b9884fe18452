using Microsoft.Extensions.Logging.Console;

namespace ClaimCheck.Service.Hosting;

/// <summary>
/// Keeps links out of logs. The framework's request log writes whole addresses, and a signed link is one; no setting of an
/// operator's may turn that on again.
/// </summary>
internal static class LinkSafeLogging
{
    // The one category that logs the query of a request; the redirect's, that logs where to, is not used at all.
    private const string RequestLog = "Microsoft.AspNetCore.Hosting.Diagnostics";

    public static WebApplicationBuilder AddLinkSafeLogging(this WebApplicationBuilder builder)
    {
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Services.Configure<ConsoleLoggerOptions>(console => console.FormatterName ??= ConsoleFormatterNames.Simple);
        builder.Services.Configure<SimpleConsoleFormatterOptions>(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.UseUtcTimestamp = true;
        });
        // After all configuration: rules for a named provider go before those for all, so each provider gets its own.
        builder.Services.PostConfigure<LoggerFilterOptions>(filters =>
        {
            foreach (var provider in filters.Rules.Select(rule => rule.ProviderName).Append(null).Distinct().ToList())
                filters.Rules.Add(new(provider, RequestLog, LogLevel.Warning, filter: null));
        });
        return builder;
    }
}
