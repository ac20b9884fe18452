using ClaimCheck.Service.Hosting;

namespace ClaimCheck.Service.Reckoning;

internal static class ReckoningFeature
{
    public static WebApplicationBuilder AddReckoning(this WebApplicationBuilder builder)
    {
        builder.AddCheckedOptions<ReceiptOptions>("ClaimCheck:Receipts");
        builder.Services.AddSingleton<ReceiptAccounts>().AddSingleton<RoundKeys>().AddSingleton<ReceiptBoard>();
        return builder;
    }
}
