namespace ClaimCheck.Service.Startup;

/// <summary>Where the service keeps what it needs when nothing else is configured: <c>ClaimCheck:DataDirectory</c>, or <c>.claimcheck</c>.</summary>
internal static class DataDirectory
{
    public static string Of(IConfiguration configuration) =>
        Path.GetFullPath(configuration["ClaimCheck:DataDirectory"] is { Length: > 0 } configured ? configured : ".claimcheck");
}
