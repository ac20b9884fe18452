namespace ClaimCheck.Service.Startup;

/// <summary>The folder of the service's own data where nothing else is configured: <c>ClaimCheck:DataDirectory</c>, or
/// <c>.claimcheck</c>.</summary>
internal static class DataDirectory
{
    public static string Of(IConfiguration configuration) =>
        Path.GetFullPath(configuration["ClaimCheck:DataDirectory"] is { Length: > 0 } configured ? configured : ".claimcheck");
}
